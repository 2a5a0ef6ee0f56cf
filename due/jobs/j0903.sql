-- output: tables/t0903
-- schedule: "* * * * *"
select 903 as n
