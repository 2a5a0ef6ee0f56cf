-- output: tables/t0290
-- schedule: "* * * * *"
select 290 as n
