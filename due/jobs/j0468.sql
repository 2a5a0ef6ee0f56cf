-- output: tables/t0468
-- schedule: "* * * * *"
select 468 as n
