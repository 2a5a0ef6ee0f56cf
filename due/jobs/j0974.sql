-- output: tables/t0974
-- schedule: "* * * * *"
select 974 as n
