-- output: tables/t0922
-- schedule: "* * * * *"
select 922 as n
