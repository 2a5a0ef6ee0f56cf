-- output: tables/t0990
-- schedule: "* * * * *"
select 990 as n
