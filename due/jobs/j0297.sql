-- output: tables/t0297
-- schedule: "* * * * *"
select 297 as n
