-- output: tables/t0367
-- schedule: "* * * * *"
select 367 as n
