-- output: tables/t0002
-- schedule: "* * * * *"
select 2 as n
