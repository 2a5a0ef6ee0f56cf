-- output: tables/t0962
-- schedule: "* * * * *"
select 962 as n
