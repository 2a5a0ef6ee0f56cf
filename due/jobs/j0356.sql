-- output: tables/t0356
-- schedule: "* * * * *"
select 356 as n
