-- output: tables/t0005
-- schedule: "* * * * *"
select 5 as n
