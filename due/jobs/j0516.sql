-- output: tables/t0516
-- schedule: "* * * * *"
select 516 as n
