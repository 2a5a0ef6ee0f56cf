-- output: tables/t0399
-- schedule: "* * * * *"
select 399 as n
