-- output: tables/t0144
-- schedule: "* * * * *"
select 144 as n
