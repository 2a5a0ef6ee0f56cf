-- output: tables/t0108
-- schedule: "* * * * *"
select 108 as n
