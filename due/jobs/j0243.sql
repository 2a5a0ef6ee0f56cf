-- output: tables/t0243
-- schedule: "* * * * *"
select 243 as n
