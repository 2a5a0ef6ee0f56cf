-- output: tables/t0494
-- schedule: "* * * * *"
select 494 as n
