-- output: tables/t0700
-- schedule: "* * * * *"
select 700 as n
