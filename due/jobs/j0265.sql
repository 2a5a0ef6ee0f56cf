-- output: tables/t0265
-- schedule: "* * * * *"
select 265 as n
