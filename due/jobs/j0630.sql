-- output: tables/t0630
-- schedule: "* * * * *"
select 630 as n
