-- output: tables/t0315
-- schedule: "* * * * *"
select 315 as n
