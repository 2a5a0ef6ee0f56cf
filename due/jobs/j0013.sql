-- output: tables/t0013
-- schedule: "* * * * *"
select 13 as n
