-- output: tables/t0277
-- schedule: "* * * * *"
select 277 as n
