-- output: tables/t0565
-- schedule: "* * * * *"
select 565 as n
