-- output: tables/t0227
-- schedule: "* * * * *"
select 227 as n
