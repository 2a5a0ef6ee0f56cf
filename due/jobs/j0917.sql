-- output: tables/t0917
-- schedule: "* * * * *"
select 917 as n
