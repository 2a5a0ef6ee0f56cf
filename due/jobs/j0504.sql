-- output: tables/t0504
-- schedule: "* * * * *"
select 504 as n
