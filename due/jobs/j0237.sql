-- output: tables/t0237
-- schedule: "* * * * *"
select 237 as n
