-- output: tables/t0695
-- schedule: "* * * * *"
select 695 as n
