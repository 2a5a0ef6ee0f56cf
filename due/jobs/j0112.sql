-- output: tables/t0112
-- schedule: "* * * * *"
select 112 as n
