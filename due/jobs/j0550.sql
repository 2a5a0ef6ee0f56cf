-- output: tables/t0550
-- schedule: "* * * * *"
select 550 as n
