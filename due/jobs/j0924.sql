-- output: tables/t0924
-- schedule: "* * * * *"
select 924 as n
