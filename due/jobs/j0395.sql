-- output: tables/t0395
-- schedule: "* * * * *"
select 395 as n
