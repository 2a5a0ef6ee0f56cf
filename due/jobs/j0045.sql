-- output: tables/t0045
-- schedule: "* * * * *"
select 45 as n
