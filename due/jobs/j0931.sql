-- output: tables/t0931
-- schedule: "* * * * *"
select 931 as n
