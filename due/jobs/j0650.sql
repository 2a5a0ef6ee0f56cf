-- output: tables/t0650
-- schedule: "* * * * *"
select 650 as n
