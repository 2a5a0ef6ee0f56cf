-- output: tables/t0534
-- schedule: "* * * * *"
select 534 as n
