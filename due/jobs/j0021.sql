-- output: tables/t0021
-- schedule: "* * * * *"
select 21 as n
