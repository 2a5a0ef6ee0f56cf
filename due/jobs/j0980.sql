-- output: tables/t0980
-- schedule: "* * * * *"
select 980 as n
