-- output: tables/t0249
-- schedule: "* * * * *"
select 249 as n
