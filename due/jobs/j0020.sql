-- output: tables/t0020
-- schedule: "* * * * *"
select 20 as n
