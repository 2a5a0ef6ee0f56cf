-- output: tables/t0180
-- schedule: "* * * * *"
select 180 as n
