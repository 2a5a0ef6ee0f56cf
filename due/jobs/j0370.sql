-- output: tables/t0370
-- schedule: "* * * * *"
select 370 as n
