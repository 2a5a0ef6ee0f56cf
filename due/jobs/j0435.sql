-- output: tables/t0435
-- schedule: "* * * * *"
select 435 as n
