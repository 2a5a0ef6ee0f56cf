-- output: tables/t0167
-- schedule: "* * * * *"
select 167 as n
