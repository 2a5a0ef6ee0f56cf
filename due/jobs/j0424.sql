-- output: tables/t0424
-- schedule: "* * * * *"
select 424 as n
