-- output: tables/t0677
-- schedule: "* * * * *"
select 677 as n
