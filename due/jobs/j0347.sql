-- output: tables/t0347
-- schedule: "* * * * *"
select 347 as n
