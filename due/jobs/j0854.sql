-- output: tables/t0854
-- schedule: "* * * * *"
select 854 as n
