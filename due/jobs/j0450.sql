-- output: tables/t0450
-- schedule: "* * * * *"
select 450 as n
