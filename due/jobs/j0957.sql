-- output: tables/t0957
-- schedule: "* * * * *"
select 957 as n
