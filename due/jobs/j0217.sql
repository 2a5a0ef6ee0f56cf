-- output: tables/t0217
-- schedule: "* * * * *"
select 217 as n
