-- output: tables/t0380
-- schedule: "* * * * *"
select 380 as n
