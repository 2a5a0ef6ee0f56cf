-- output: tables/t0229
-- schedule: "* * * * *"
select 229 as n
