-- output: tables/t0295
-- schedule: "* * * * *"
select 295 as n
