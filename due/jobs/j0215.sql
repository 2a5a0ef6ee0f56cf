-- output: tables/t0215
-- schedule: "* * * * *"
select 215 as n
