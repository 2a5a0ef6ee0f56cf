-- output: tables/t0106
-- schedule: "* * * * *"
select 106 as n
