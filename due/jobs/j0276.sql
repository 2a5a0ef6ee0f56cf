-- output: tables/t0276
-- schedule: "* * * * *"
select 276 as n
