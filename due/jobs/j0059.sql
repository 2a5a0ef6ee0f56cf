-- output: tables/t0059
-- schedule: "* * * * *"
select 59 as n
