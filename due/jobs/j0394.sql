-- output: tables/t0394
-- schedule: "* * * * *"
select 394 as n
