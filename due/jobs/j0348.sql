-- output: tables/t0348
-- schedule: "* * * * *"
select 348 as n
