-- output: tables/t0312
-- schedule: "* * * * *"
select 312 as n
