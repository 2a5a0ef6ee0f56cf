-- output: tables/t0349
-- schedule: "* * * * *"
select 349 as n
