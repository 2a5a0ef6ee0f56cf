-- output: tables/t0049
-- schedule: "* * * * *"
select 49 as n
