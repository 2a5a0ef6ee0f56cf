-- output: tables/t0454
-- schedule: "* * * * *"
select 454 as n
