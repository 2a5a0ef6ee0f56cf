-- output: tables/t0240
-- schedule: "* * * * *"
select 240 as n
