-- output: tables/t0196
-- schedule: "* * * * *"
select 196 as n
