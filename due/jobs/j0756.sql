-- output: tables/t0756
-- schedule: "* * * * *"
select 756 as n
