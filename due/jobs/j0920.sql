-- output: tables/t0920
-- schedule: "* * * * *"
select 920 as n
