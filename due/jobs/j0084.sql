-- output: tables/t0084
-- schedule: "* * * * *"
select 84 as n
