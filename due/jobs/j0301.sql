-- output: tables/t0301
-- schedule: "* * * * *"
select 301 as n
