-- output: tables/t0239
-- schedule: "* * * * *"
select 239 as n
