-- output: tables/t0041
-- schedule: "* * * * *"
select 41 as n
