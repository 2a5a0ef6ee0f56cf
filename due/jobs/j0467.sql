-- output: tables/t0467
-- schedule: "* * * * *"
select 467 as n
