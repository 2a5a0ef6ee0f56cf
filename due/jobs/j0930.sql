-- output: tables/t0930
-- schedule: "* * * * *"
select 930 as n
