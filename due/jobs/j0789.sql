-- output: tables/t0789
-- schedule: "* * * * *"
select 789 as n
