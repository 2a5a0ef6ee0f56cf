-- output: tables/t0984
-- schedule: "* * * * *"
select 984 as n
