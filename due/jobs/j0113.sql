-- output: tables/t0113
-- schedule: "* * * * *"
select 113 as n
