-- output: tables/t0066
-- schedule: "* * * * *"
select 66 as n
