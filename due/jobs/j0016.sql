-- output: tables/t0016
-- schedule: "* * * * *"
select 16 as n
