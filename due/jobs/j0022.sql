-- output: tables/t0022
-- schedule: "* * * * *"
select 22 as n
