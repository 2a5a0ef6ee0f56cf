-- output: tables/t0015
-- schedule: "* * * * *"
select 15 as n
