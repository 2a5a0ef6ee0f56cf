-- output: tables/t0475
-- schedule: "* * * * *"
select 475 as n
