-- output: tables/t0119
-- schedule: "* * * * *"
select 119 as n
