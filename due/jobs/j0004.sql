-- output: tables/t0004
-- schedule: "* * * * *"
select 4 as n
