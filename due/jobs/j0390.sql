-- output: tables/t0390
-- schedule: "* * * * *"
select 390 as n
