-- output: tables/t0266
-- schedule: "* * * * *"
select 266 as n
