-- output: tables/t0802
-- schedule: "* * * * *"
select 802 as n
