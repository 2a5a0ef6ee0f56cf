-- output: tables/t0262
-- schedule: "* * * * *"
select 262 as n
