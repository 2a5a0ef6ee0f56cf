-- output: tables/t0497
-- schedule: "* * * * *"
select 497 as n
