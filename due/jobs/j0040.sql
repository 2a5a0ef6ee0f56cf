-- output: tables/t0040
-- schedule: "* * * * *"
select 40 as n
