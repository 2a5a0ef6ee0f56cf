-- output: tables/t0827
-- schedule: "* * * * *"
select 827 as n
