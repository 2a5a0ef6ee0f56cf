-- output: tables/t0007
-- schedule: "* * * * *"
select 7 as n
