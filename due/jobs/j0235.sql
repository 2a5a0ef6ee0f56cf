-- output: tables/t0235
-- schedule: "* * * * *"
select 235 as n
