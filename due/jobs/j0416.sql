-- output: tables/t0416
-- schedule: "* * * * *"
select 416 as n
