-- output: tables/t0381
-- schedule: "* * * * *"
select 381 as n
