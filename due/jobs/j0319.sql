-- output: tables/t0319
-- schedule: "* * * * *"
select 319 as n
