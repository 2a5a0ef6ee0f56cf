-- output: tables/t0533
-- schedule: "* * * * *"
select 533 as n
