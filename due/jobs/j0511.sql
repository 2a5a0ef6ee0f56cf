-- output: tables/t0511
-- schedule: "* * * * *"
select 511 as n
