-- output: tables/t0549
-- schedule: "* * * * *"
select 549 as n
