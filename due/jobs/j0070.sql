-- output: tables/t0070
-- schedule: "* * * * *"
select 70 as n
