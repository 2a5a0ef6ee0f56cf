-- output: tables/t0095
-- schedule: "* * * * *"
select 95 as n
