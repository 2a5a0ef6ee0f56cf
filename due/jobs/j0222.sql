-- output: tables/t0222
-- schedule: "* * * * *"
select 222 as n
