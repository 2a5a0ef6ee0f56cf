-- output: tables/t0344
-- schedule: "* * * * *"
select 344 as n
