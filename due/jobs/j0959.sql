-- output: tables/t0959
-- schedule: "* * * * *"
select 959 as n
