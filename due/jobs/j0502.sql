-- output: tables/t0502
-- schedule: "* * * * *"
select 502 as n
