-- output: tables/t0402
-- schedule: "* * * * *"
select 402 as n
