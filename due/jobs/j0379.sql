-- output: tables/t0379
-- schedule: "* * * * *"
select 379 as n
