-- output: tables/t0086
-- schedule: "* * * * *"
select 86 as n
