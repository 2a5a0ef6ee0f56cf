-- output: tables/t0360
-- schedule: "* * * * *"
select 360 as n
