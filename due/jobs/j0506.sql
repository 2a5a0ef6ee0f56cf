-- output: tables/t0506
-- schedule: "* * * * *"
select 506 as n
