-- output: tables/t0439
-- schedule: "* * * * *"
select 439 as n
