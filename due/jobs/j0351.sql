-- output: tables/t0351
-- schedule: "* * * * *"
select 351 as n
