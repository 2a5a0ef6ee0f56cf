-- output: tables/t0329
-- schedule: "* * * * *"
select 329 as n
