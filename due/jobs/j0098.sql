-- output: tables/t0098
-- schedule: "* * * * *"
select 98 as n
