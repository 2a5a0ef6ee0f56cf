-- output: tables/t0452
-- schedule: "* * * * *"
select 452 as n
