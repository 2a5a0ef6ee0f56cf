-- output: tables/t0485
-- schedule: "* * * * *"
select 485 as n
