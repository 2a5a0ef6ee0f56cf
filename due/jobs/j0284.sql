-- output: tables/t0284
-- schedule: "* * * * *"
select 284 as n
