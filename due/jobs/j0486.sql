-- output: tables/t0486
-- schedule: "* * * * *"
select 486 as n
