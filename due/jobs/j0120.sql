-- output: tables/t0120
-- schedule: "* * * * *"
select 120 as n
