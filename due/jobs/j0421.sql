-- output: tables/t0421
-- schedule: "* * * * *"
select 421 as n
