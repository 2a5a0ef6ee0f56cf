-- output: tables/t0003
-- schedule: "* * * * *"
select 3 as n
