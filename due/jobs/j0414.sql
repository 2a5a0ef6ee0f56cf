-- output: tables/t0414
-- schedule: "* * * * *"
select 414 as n
