-- output: tables/t0426
-- schedule: "* * * * *"
select 426 as n
