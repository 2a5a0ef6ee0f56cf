-- output: tables/t0862
-- schedule: "* * * * *"
select 862 as n
