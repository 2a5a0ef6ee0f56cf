-- output: tables/t0309
-- schedule: "* * * * *"
select 309 as n
