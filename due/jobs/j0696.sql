-- output: tables/t0696
-- schedule: "* * * * *"
select 696 as n
