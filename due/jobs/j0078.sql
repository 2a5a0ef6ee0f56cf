-- output: tables/t0078
-- schedule: "* * * * *"
select 78 as n
