-- output: tables/t0799
-- schedule: "* * * * *"
select 799 as n
