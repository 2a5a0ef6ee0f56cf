-- output: tables/t0812
-- schedule: "* * * * *"
select 812 as n
