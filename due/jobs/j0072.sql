-- output: tables/t0072
-- schedule: "* * * * *"
select 72 as n
