-- output: tables/t0451
-- schedule: "* * * * *"
select 451 as n
