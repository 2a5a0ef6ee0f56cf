-- output: tables/t0189
-- schedule: "* * * * *"
select 189 as n
