-- output: tables/t0408
-- schedule: "* * * * *"
select 408 as n
