-- output: tables/t0340
-- schedule: "* * * * *"
select 340 as n
