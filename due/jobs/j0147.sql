-- output: tables/t0147
-- schedule: "* * * * *"
select 147 as n
