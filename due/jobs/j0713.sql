-- output: tables/t0713
-- schedule: "* * * * *"
select 713 as n
