-- output: tables/t0503
-- schedule: "* * * * *"
select 503 as n
