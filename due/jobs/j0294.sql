-- output: tables/t0294
-- schedule: "* * * * *"
select 294 as n
