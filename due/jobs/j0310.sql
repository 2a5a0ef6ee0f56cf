-- output: tables/t0310
-- schedule: "* * * * *"
select 310 as n
