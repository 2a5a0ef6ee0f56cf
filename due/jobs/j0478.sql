-- output: tables/t0478
-- schedule: "* * * * *"
select 478 as n
