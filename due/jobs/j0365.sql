-- output: tables/t0365
-- schedule: "* * * * *"
select 365 as n
