-- output: tables/t0325
-- schedule: "* * * * *"
select 325 as n
