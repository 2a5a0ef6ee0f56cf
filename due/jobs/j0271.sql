-- output: tables/t0271
-- schedule: "* * * * *"
select 271 as n
