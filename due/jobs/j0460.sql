-- output: tables/t0460
-- schedule: "* * * * *"
select 460 as n
