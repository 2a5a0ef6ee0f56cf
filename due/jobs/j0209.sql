-- output: tables/t0209
-- schedule: "* * * * *"
select 209 as n
