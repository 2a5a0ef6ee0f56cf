-- output: tables/t0214
-- schedule: "* * * * *"
select 214 as n
