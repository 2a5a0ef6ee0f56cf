-- output: tables/t0668
-- schedule: "* * * * *"
select 668 as n
