-- output: tables/t0162
-- schedule: "* * * * *"
select 162 as n
