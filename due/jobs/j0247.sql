-- output: tables/t0247
-- schedule: "* * * * *"
select 247 as n
