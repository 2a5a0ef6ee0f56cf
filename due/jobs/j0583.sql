-- output: tables/t0583
-- schedule: "* * * * *"
select 583 as n
