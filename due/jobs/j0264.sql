-- output: tables/t0264
-- schedule: "* * * * *"
select 264 as n
