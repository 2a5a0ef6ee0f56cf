-- output: tables/t0558
-- schedule: "* * * * *"
select 558 as n
