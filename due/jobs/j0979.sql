-- output: tables/t0979
-- schedule: "* * * * *"
select 979 as n
