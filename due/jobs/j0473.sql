-- output: tables/t0473
-- schedule: "* * * * *"
select 473 as n
