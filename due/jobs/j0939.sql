-- output: tables/t0939
-- schedule: "* * * * *"
select 939 as n
