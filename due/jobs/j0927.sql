-- output: tables/t0927
-- schedule: "* * * * *"
select 927 as n
