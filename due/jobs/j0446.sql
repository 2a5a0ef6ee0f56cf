-- output: tables/t0446
-- schedule: "* * * * *"
select 446 as n
