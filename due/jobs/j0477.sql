-- output: tables/t0477
-- schedule: "* * * * *"
select 477 as n
