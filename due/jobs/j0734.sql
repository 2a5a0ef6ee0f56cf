-- output: tables/t0734
-- schedule: "* * * * *"
select 734 as n
