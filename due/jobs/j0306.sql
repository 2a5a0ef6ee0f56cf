-- output: tables/t0306
-- schedule: "* * * * *"
select 306 as n
