-- output: tables/t0444
-- schedule: "* * * * *"
select 444 as n
