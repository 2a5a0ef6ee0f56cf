-- output: tables/t0420
-- schedule: "* * * * *"
select 420 as n
