-- output: tables/t0378
-- schedule: "* * * * *"
select 378 as n
