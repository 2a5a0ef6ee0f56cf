-- output: tables/t0493
-- schedule: "* * * * *"
select 493 as n
