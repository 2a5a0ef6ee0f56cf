-- output: tables/t0607
-- schedule: "* * * * *"
select 607 as n
