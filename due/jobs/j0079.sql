-- output: tables/t0079
-- schedule: "* * * * *"
select 79 as n
