-- output: tables/t0213
-- schedule: "* * * * *"
select 213 as n
