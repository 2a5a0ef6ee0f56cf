-- output: tables/t0336
-- schedule: "* * * * *"
select 336 as n
