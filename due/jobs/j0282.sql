-- output: tables/t0282
-- schedule: "* * * * *"
select 282 as n
