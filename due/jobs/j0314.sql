-- output: tables/t0314
-- schedule: "* * * * *"
select 314 as n
