-- output: tables/t0552
-- schedule: "* * * * *"
select 552 as n
