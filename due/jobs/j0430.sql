-- output: tables/t0430
-- schedule: "* * * * *"
select 430 as n
