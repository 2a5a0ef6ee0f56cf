-- output: tables/t0429
-- schedule: "* * * * *"
select 429 as n
