-- output: tables/t0342
-- schedule: "* * * * *"
select 342 as n
