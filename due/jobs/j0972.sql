-- output: tables/t0972
-- schedule: "* * * * *"
select 972 as n
