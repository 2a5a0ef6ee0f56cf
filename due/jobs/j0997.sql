-- output: tables/t0997
-- schedule: "* * * * *"
select 997 as n
