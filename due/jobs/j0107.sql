-- output: tables/t0107
-- schedule: "* * * * *"
select 107 as n
