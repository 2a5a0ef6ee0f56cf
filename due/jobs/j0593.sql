-- output: tables/t0593
-- schedule: "* * * * *"
select 593 as n
