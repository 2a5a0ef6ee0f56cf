-- output: tables/t0461
-- schedule: "* * * * *"
select 461 as n
