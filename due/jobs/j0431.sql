-- output: tables/t0431
-- schedule: "* * * * *"
select 431 as n
