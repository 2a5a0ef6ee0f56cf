-- output: tables/t0621
-- schedule: "* * * * *"
select 621 as n
