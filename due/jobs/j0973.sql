-- output: tables/t0973
-- schedule: "* * * * *"
select 973 as n
