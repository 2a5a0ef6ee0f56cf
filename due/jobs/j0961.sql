-- output: tables/t0961
-- schedule: "* * * * *"
select 961 as n
