-- output: tables/t0038
-- schedule: "* * * * *"
select 38 as n
