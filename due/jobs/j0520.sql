-- output: tables/t0520
-- schedule: "* * * * *"
select 520 as n
