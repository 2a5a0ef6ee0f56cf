-- output: tables/t0369
-- schedule: "* * * * *"
select 369 as n
