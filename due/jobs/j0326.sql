-- output: tables/t0326
-- schedule: "* * * * *"
select 326 as n
