-- output: tables/t0260
-- schedule: "* * * * *"
select 260 as n
