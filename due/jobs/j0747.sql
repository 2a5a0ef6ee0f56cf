-- output: tables/t0747
-- schedule: "* * * * *"
select 747 as n
