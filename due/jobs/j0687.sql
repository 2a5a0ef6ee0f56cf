-- output: tables/t0687
-- schedule: "* * * * *"
select 687 as n
