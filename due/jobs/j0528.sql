-- output: tables/t0528
-- schedule: "* * * * *"
select 528 as n
