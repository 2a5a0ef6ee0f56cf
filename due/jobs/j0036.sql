-- output: tables/t0036
-- schedule: "* * * * *"
select 36 as n
