-- output: tables/t0154
-- schedule: "* * * * *"
select 154 as n
