-- output: tables/t0151
-- schedule: "* * * * *"
select 151 as n
