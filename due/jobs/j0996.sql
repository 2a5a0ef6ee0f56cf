-- output: tables/t0996
-- schedule: "* * * * *"
select 996 as n
