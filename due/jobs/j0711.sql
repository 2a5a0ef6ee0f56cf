-- output: tables/t0711
-- schedule: "* * * * *"
select 711 as n
