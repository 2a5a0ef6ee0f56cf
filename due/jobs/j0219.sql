-- output: tables/t0219
-- schedule: "* * * * *"
select 219 as n
