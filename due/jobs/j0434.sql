-- output: tables/t0434
-- schedule: "* * * * *"
select 434 as n
