-- output: tables/t0707
-- schedule: "* * * * *"
select 707 as n
