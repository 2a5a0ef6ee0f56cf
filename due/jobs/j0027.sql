-- output: tables/t0027
-- schedule: "* * * * *"
select 27 as n
