-- output: tables/t0499
-- schedule: "* * * * *"
select 499 as n
