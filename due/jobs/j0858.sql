-- output: tables/t0858
-- schedule: "* * * * *"
select 858 as n
