-- output: tables/t0052
-- schedule: "* * * * *"
select 52 as n
