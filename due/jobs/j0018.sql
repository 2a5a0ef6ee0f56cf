-- output: tables/t0018
-- schedule: "* * * * *"
select 18 as n
