-- output: tables/t0252
-- schedule: "* * * * *"
select 252 as n
