-- output: tables/t0436
-- schedule: "* * * * *"
select 436 as n
