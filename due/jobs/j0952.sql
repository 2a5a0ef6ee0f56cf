-- output: tables/t0952
-- schedule: "* * * * *"
select 952 as n
