-- output: tables/t0800
-- schedule: "* * * * *"
select 800 as n
