-- output: tables/t0150
-- schedule: "* * * * *"
select 150 as n
