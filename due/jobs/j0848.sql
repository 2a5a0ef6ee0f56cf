-- output: tables/t0848
-- schedule: "* * * * *"
select 848 as n
