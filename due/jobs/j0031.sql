-- output: tables/t0031
-- schedule: "* * * * *"
select 31 as n
