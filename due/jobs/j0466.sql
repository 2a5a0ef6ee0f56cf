-- output: tables/t0466
-- schedule: "* * * * *"
select 466 as n
