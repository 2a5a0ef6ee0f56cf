-- output: tables/t0398
-- schedule: "* * * * *"
select 398 as n
