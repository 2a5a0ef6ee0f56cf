-- output: tables/t0483
-- schedule: "* * * * *"
select 483 as n
