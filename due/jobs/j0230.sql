-- output: tables/t0230
-- schedule: "* * * * *"
select 230 as n
