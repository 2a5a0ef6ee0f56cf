-- output: tables/t0856
-- schedule: "* * * * *"
select 856 as n
