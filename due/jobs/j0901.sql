-- output: tables/t0901
-- schedule: "* * * * *"
select 901 as n
