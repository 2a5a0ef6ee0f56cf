-- output: tables/t0599
-- schedule: "* * * * *"
select 599 as n
