-- output: tables/t0006
-- schedule: "* * * * *"
select 6 as n
