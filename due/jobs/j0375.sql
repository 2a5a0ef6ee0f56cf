-- output: tables/t0375
-- schedule: "* * * * *"
select 375 as n
