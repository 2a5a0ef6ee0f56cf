-- output: tables/t0062
-- schedule: "* * * * *"
select 62 as n
