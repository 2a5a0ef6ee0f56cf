-- output: tables/t0907
-- schedule: "* * * * *"
select 907 as n
