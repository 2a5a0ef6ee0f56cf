-- output: tables/t0730
-- schedule: "* * * * *"
select 730 as n
