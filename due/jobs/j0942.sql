-- output: tables/t0942
-- schedule: "* * * * *"
select 942 as n
