-- output: tables/t0280
-- schedule: "* * * * *"
select 280 as n
