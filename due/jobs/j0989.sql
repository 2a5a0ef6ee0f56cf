-- output: tables/t0989
-- schedule: "* * * * *"
select 989 as n
