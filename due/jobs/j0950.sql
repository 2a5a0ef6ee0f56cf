-- output: tables/t0950
-- schedule: "* * * * *"
select 950 as n
