-- output: tables/t0921
-- schedule: "* * * * *"
select 921 as n
