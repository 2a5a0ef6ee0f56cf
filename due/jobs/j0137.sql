-- output: tables/t0137
-- schedule: "* * * * *"
select 137 as n
