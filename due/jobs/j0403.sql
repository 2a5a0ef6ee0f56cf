-- output: tables/t0403
-- schedule: "* * * * *"
select 403 as n
