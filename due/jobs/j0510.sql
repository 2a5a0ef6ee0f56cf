-- output: tables/t0510
-- schedule: "* * * * *"
select 510 as n
