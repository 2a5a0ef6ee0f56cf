-- output: tables/t0050
-- schedule: "* * * * *"
select 50 as n
