-- output: tables/t0064
-- schedule: "* * * * *"
select 64 as n
