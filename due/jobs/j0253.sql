-- output: tables/t0253
-- schedule: "* * * * *"
select 253 as n
