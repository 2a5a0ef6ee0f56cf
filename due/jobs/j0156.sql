-- output: tables/t0156
-- schedule: "* * * * *"
select 156 as n
