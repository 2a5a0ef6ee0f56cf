-- output: tables/t0557
-- schedule: "* * * * *"
select 557 as n
