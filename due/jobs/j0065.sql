-- output: tables/t0065
-- schedule: "* * * * *"
select 65 as n
