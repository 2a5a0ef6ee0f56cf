-- output: tables/t0033
-- schedule: "* * * * *"
select 33 as n
