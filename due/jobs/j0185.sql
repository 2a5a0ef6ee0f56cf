-- output: tables/t0185
-- schedule: "* * * * *"
select 185 as n
