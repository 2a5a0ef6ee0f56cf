-- output: tables/t0000
-- schedule: "* * * * *"
select 0 as n
