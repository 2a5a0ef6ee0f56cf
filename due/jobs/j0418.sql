-- output: tables/t0418
-- schedule: "* * * * *"
select 418 as n
