-- output: tables/t0338
-- schedule: "* * * * *"
select 338 as n
