-- output: tables/t0099
-- schedule: "* * * * *"
select 99 as n
