-- output: tables/t0092
-- schedule: "* * * * *"
select 92 as n
