-- output: tables/t0490
-- schedule: "* * * * *"
select 490 as n
