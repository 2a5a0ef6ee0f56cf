-- output: tables/t0115
-- schedule: "* * * * *"
select 115 as n
