-- output: tables/t0355
-- schedule: "* * * * *"
select 355 as n
