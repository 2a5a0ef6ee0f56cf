-- output: tables/t0076
-- schedule: "* * * * *"
select 76 as n
