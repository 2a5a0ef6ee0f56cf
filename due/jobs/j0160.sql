-- output: tables/t0160
-- schedule: "* * * * *"
select 160 as n
