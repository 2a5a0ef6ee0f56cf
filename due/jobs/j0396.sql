-- output: tables/t0396
-- schedule: "* * * * *"
select 396 as n
