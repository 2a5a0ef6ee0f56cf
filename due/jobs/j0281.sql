-- output: tables/t0281
-- schedule: "* * * * *"
select 281 as n
