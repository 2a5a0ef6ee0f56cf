-- output: tables/t0521
-- schedule: "* * * * *"
select 521 as n
