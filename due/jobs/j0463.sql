-- output: tables/t0463
-- schedule: "* * * * *"
select 463 as n
