-- output: tables/t0810
-- schedule: "* * * * *"
select 810 as n
