-- output: tables/t0316
-- schedule: "* * * * *"
select 316 as n
