-- output: tables/t0610
-- schedule: "* * * * *"
select 610 as n
