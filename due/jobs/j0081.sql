-- output: tables/t0081
-- schedule: "* * * * *"
select 81 as n
