-- output: tables/t0296
-- schedule: "* * * * *"
select 296 as n
