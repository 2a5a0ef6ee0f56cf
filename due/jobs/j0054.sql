-- output: tables/t0054
-- schedule: "* * * * *"
select 54 as n
