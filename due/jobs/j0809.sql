-- output: tables/t0809
-- schedule: "* * * * *"
select 809 as n
