-- output: tables/t0702
-- schedule: "* * * * *"
select 702 as n
