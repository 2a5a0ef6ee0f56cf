-- output: tables/t0094
-- schedule: "* * * * *"
select 94 as n
