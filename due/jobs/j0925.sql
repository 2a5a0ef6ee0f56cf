-- output: tables/t0925
-- schedule: "* * * * *"
select 925 as n
