-- output: tables/t0322
-- schedule: "* * * * *"
select 322 as n
