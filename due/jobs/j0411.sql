-- output: tables/t0411
-- schedule: "* * * * *"
select 411 as n
