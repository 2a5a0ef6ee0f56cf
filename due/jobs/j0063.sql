-- output: tables/t0063
-- schedule: "* * * * *"
select 63 as n
