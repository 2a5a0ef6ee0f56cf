-- output: tables/t0987
-- schedule: "* * * * *"
select 987 as n
