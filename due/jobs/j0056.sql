-- output: tables/t0056
-- schedule: "* * * * *"
select 56 as n
