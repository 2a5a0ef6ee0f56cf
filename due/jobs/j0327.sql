-- output: tables/t0327
-- schedule: "* * * * *"
select 327 as n
