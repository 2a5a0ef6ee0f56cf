-- output: tables/t0331
-- schedule: "* * * * *"
select 331 as n
