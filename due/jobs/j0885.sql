-- output: tables/t0885
-- schedule: "* * * * *"
select 885 as n
