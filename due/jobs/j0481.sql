-- output: tables/t0481
-- schedule: "* * * * *"
select 481 as n
