-- output: tables/t0288
-- schedule: "* * * * *"
select 288 as n
