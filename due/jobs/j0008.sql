-- output: tables/t0008
-- schedule: "* * * * *"
select 8 as n
