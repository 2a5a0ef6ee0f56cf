-- output: tables/t0388
-- schedule: "* * * * *"
select 388 as n
