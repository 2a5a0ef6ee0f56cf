-- output: tables/t0577
-- schedule: "* * * * *"
select 577 as n
