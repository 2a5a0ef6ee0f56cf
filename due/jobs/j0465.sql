-- output: tables/t0465
-- schedule: "* * * * *"
select 465 as n
