-- output: tables/t0292
-- schedule: "* * * * *"
select 292 as n
