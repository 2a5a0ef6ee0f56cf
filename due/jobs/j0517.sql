-- output: tables/t0517
-- schedule: "* * * * *"
select 517 as n
