-- output: tables/t0124
-- schedule: "* * * * *"
select 124 as n
