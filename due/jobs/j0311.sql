-- output: tables/t0311
-- schedule: "* * * * *"
select 311 as n
