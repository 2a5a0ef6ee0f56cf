-- output: tables/t0248
-- schedule: "* * * * *"
select 248 as n
