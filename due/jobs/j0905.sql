-- output: tables/t0905
-- schedule: "* * * * *"
select 905 as n
