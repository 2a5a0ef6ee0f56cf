-- output: tables/t0571
-- schedule: "* * * * *"
select 571 as n
