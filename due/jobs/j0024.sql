-- output: tables/t0024
-- schedule: "* * * * *"
select 24 as n
