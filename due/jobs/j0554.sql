-- output: tables/t0554
-- schedule: "* * * * *"
select 554 as n
