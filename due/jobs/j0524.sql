-- output: tables/t0524
-- schedule: "* * * * *"
select 524 as n
