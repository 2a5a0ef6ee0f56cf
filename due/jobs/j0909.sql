-- output: tables/t0909
-- schedule: "* * * * *"
select 909 as n
