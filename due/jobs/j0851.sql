-- output: tables/t0851
-- schedule: "* * * * *"
select 851 as n
