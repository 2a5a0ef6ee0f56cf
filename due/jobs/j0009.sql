-- output: tables/t0009
-- schedule: "* * * * *"
select 9 as n
