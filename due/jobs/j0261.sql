-- output: tables/t0261
-- schedule: "* * * * *"
select 261 as n
