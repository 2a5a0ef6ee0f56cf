-- output: tables/t0251
-- schedule: "* * * * *"
select 251 as n
