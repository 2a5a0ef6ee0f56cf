-- output: tables/t0194
-- schedule: "* * * * *"
select 194 as n
