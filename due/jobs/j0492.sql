-- output: tables/t0492
-- schedule: "* * * * *"
select 492 as n
