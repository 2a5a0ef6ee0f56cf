-- output: tables/t0273
-- schedule: "* * * * *"
select 273 as n
