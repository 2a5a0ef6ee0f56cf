-- output: tables/t0258
-- schedule: "* * * * *"
select 258 as n
