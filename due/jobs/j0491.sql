-- output: tables/t0491
-- schedule: "* * * * *"
select 491 as n
