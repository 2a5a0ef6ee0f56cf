-- output: tables/t0019
-- schedule: "* * * * *"
select 19 as n
