-- output: tables/t0125
-- schedule: "* * * * *"
select 125 as n
