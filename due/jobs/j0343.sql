-- output: tables/t0343
-- schedule: "* * * * *"
select 343 as n
