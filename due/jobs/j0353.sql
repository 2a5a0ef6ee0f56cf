-- output: tables/t0353
-- schedule: "* * * * *"
select 353 as n
