-- output: tables/t0847
-- schedule: "* * * * *"
select 847 as n
