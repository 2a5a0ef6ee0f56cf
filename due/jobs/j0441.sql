-- output: tables/t0441
-- schedule: "* * * * *"
select 441 as n
