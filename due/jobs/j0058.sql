-- output: tables/t0058
-- schedule: "* * * * *"
select 58 as n
