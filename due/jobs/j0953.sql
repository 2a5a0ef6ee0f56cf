-- output: tables/t0953
-- schedule: "* * * * *"
select 953 as n
