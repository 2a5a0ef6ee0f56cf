-- output: tables/t0228
-- schedule: "* * * * *"
select 228 as n
