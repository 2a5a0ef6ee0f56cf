-- output: tables/t0536
-- schedule: "* * * * *"
select 536 as n
