-- output: tables/t0257
-- schedule: "* * * * *"
select 257 as n
