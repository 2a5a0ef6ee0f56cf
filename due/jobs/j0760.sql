-- output: tables/t0760
-- schedule: "* * * * *"
select 760 as n
