-- output: tables/t0433
-- schedule: "* * * * *"
select 433 as n
