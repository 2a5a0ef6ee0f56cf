-- output: tables/t0869
-- schedule: "* * * * *"
select 869 as n
