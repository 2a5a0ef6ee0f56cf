-- output: tables/t0897
-- schedule: "* * * * *"
select 897 as n
