-- output: tables/t0087
-- schedule: "* * * * *"
select 87 as n
