-- output: tables/t0562
-- schedule: "* * * * *"
select 562 as n
