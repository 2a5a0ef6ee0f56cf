-- output: tables/t0014
-- schedule: "* * * * *"
select 14 as n
