-- output: tables/t0223
-- schedule: "* * * * *"
select 223 as n
