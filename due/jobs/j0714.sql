-- output: tables/t0714
-- schedule: "* * * * *"
select 714 as n
