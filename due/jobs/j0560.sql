-- output: tables/t0560
-- schedule: "* * * * *"
select 560 as n
