-- output: tables/t0508
-- schedule: "* * * * *"
select 508 as n
