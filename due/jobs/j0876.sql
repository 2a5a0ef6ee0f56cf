-- output: tables/t0876
-- schedule: "* * * * *"
select 876 as n
