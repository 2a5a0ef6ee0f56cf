-- output: tables/t0089
-- schedule: "* * * * *"
select 89 as n
