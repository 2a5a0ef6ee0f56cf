-- output: tables/t0598
-- schedule: "* * * * *"
select 598 as n
