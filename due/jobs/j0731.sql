-- output: tables/t0731
-- schedule: "* * * * *"
select 731 as n
