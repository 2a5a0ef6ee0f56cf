-- output: tables/t0334
-- schedule: "* * * * *"
select 334 as n
