-- output: tables/t0652
-- schedule: "* * * * *"
select 652 as n
