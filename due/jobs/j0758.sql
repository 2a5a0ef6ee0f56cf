-- output: tables/t0758
-- schedule: "* * * * *"
select 758 as n
