-- output: tables/t0051
-- schedule: "* * * * *"
select 51 as n
