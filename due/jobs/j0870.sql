-- output: tables/t0870
-- schedule: "* * * * *"
select 870 as n
