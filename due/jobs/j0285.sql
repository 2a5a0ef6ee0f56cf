-- output: tables/t0285
-- schedule: "* * * * *"
select 285 as n
