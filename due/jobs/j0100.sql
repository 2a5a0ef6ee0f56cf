-- output: tables/t0100
-- schedule: "* * * * *"
select 100 as n
