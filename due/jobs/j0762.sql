-- output: tables/t0762
-- schedule: "* * * * *"
select 762 as n
