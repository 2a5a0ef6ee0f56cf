-- output: tables/t0352
-- schedule: "* * * * *"
select 352 as n
