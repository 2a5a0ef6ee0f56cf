-- output: tables/t0595
-- schedule: "* * * * *"
select 595 as n
