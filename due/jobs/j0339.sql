-- output: tables/t0339
-- schedule: "* * * * *"
select 339 as n
