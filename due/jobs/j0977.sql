-- output: tables/t0977
-- schedule: "* * * * *"
select 977 as n
