-- output: tables/t0878
-- schedule: "* * * * *"
select 878 as n
