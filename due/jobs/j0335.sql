-- output: tables/t0335
-- schedule: "* * * * *"
select 335 as n
