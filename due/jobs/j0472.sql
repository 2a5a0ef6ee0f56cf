-- output: tables/t0472
-- schedule: "* * * * *"
select 472 as n
