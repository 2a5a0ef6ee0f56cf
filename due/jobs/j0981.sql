-- output: tables/t0981
-- schedule: "* * * * *"
select 981 as n
