-- output: tables/t0358
-- schedule: "* * * * *"
select 358 as n
