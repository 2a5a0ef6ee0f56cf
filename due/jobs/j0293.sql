-- output: tables/t0293
-- schedule: "* * * * *"
select 293 as n
