-- output: tables/t0405
-- schedule: "* * * * *"
select 405 as n
