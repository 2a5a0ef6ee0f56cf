-- output: tables/t0048
-- schedule: "* * * * *"
select 48 as n
