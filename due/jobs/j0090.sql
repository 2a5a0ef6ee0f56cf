-- output: tables/t0090
-- schedule: "* * * * *"
select 90 as n
