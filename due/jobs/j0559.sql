-- output: tables/t0559
-- schedule: "* * * * *"
select 559 as n
