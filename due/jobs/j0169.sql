-- output: tables/t0169
-- schedule: "* * * * *"
select 169 as n
