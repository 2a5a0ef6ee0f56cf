-- output: tables/t0438
-- schedule: "* * * * *"
select 438 as n
