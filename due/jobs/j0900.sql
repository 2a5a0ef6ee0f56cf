-- output: tables/t0900
-- schedule: "* * * * *"
select 900 as n
