-- output: tables/t0305
-- schedule: "* * * * *"
select 305 as n
