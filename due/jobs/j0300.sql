-- output: tables/t0300
-- schedule: "* * * * *"
select 300 as n
