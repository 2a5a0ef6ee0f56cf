-- output: tables/t0055
-- schedule: "* * * * *"
select 55 as n
