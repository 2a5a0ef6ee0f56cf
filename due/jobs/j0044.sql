-- output: tables/t0044
-- schedule: "* * * * *"
select 44 as n
