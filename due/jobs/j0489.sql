-- output: tables/t0489
-- schedule: "* * * * *"
select 489 as n
