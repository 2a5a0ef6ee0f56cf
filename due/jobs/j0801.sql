-- output: tables/t0801
-- schedule: "* * * * *"
select 801 as n
