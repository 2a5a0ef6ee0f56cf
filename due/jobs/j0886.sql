-- output: tables/t0886
-- schedule: "* * * * *"
select 886 as n
