-- output: tables/t0705
-- schedule: "* * * * *"
select 705 as n
