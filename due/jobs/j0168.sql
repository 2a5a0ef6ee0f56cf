-- output: tables/t0168
-- schedule: "* * * * *"
select 168 as n
