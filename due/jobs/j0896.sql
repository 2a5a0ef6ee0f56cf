-- output: tables/t0896
-- schedule: "* * * * *"
select 896 as n
