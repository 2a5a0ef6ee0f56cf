-- output: tables/t0122
-- schedule: "* * * * *"
select 122 as n
