-- output: tables/t0373
-- schedule: "* * * * *"
select 373 as n
