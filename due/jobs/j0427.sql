-- output: tables/t0427
-- schedule: "* * * * *"
select 427 as n
