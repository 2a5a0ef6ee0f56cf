-- output: tables/t0318
-- schedule: "* * * * *"
select 318 as n
