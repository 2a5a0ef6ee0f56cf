-- output: tables/t0813
-- schedule: "* * * * *"
select 813 as n
