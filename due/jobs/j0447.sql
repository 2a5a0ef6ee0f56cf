-- output: tables/t0447
-- schedule: "* * * * *"
select 447 as n
