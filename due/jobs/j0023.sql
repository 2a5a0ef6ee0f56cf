-- output: tables/t0023
-- schedule: "* * * * *"
select 23 as n
