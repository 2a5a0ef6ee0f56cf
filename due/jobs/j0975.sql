-- output: tables/t0975
-- schedule: "* * * * *"
select 975 as n
