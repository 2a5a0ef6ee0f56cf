-- output: tables/t0035
-- schedule: "* * * * *"
select 35 as n
