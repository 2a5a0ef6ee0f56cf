-- output: tables/t0157
-- schedule: "* * * * *"
select 157 as n
