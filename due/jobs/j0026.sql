-- output: tables/t0026
-- schedule: "* * * * *"
select 26 as n
