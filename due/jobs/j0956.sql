-- output: tables/t0956
-- schedule: "* * * * *"
select 956 as n
