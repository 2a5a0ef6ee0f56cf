-- output: tables/t0270
-- schedule: "* * * * *"
select 270 as n
