-- output: tables/t0936
-- schedule: "* * * * *"
select 936 as n
