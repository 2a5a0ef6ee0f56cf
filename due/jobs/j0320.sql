-- output: tables/t0320
-- schedule: "* * * * *"
select 320 as n
