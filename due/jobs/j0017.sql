-- output: tables/t0017
-- schedule: "* * * * *"
select 17 as n
