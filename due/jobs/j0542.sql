-- output: tables/t0542
-- schedule: "* * * * *"
select 542 as n
