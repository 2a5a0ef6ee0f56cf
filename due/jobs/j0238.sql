-- output: tables/t0238
-- schedule: "* * * * *"
select 238 as n
