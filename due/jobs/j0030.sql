-- output: tables/t0030
-- schedule: "* * * * *"
select 30 as n
