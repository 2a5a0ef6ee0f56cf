-- output: tables/t0025
-- schedule: "* * * * *"
select 25 as n
