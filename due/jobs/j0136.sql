-- output: tables/t0136
-- schedule: "* * * * *"
select 136 as n
