-- output: tables/t0308
-- schedule: "* * * * *"
select 308 as n
