-- output: tables/t0449
-- schedule: "* * * * *"
select 449 as n
