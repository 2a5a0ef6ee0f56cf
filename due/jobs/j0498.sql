-- output: tables/t0498
-- schedule: "* * * * *"
select 498 as n
