-- output: tables/t0170
-- schedule: "* * * * *"
select 170 as n
