-- output: tables/t0994
-- schedule: "* * * * *"
select 994 as n
