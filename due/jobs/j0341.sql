-- output: tables/t0341
-- schedule: "* * * * *"
select 341 as n
