-- output: tables/t0001
-- schedule: "* * * * *"
select 1 as n
