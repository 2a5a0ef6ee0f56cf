-- output: tables/t0193
-- schedule: "* * * * *"
select 193 as n
