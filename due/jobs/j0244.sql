-- output: tables/t0244
-- schedule: "* * * * *"
select 244 as n
