-- output: tables/t0203
-- schedule: "* * * * *"
select 203 as n
