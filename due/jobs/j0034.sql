-- output: tables/t0034
-- schedule: "* * * * *"
select 34 as n
