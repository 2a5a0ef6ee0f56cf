-- output: tables/t0525
-- schedule: "* * * * *"
select 525 as n
