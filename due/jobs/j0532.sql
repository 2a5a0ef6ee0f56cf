-- output: tables/t0532
-- schedule: "* * * * *"
select 532 as n
