-- output: tables/t0458
-- schedule: "* * * * *"
select 458 as n
