-- output: tables/t0387
-- schedule: "* * * * *"
select 387 as n
