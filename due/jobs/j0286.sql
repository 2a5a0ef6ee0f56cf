-- output: tables/t0286
-- schedule: "* * * * *"
select 286 as n
