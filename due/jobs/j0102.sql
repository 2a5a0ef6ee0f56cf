-- output: tables/t0102
-- schedule: "* * * * *"
select 102 as n
