-- output: tables/t0366
-- schedule: "* * * * *"
select 366 as n
