-- output: tables/t0462
-- schedule: "* * * * *"
select 462 as n
