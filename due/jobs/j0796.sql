-- output: tables/t0796
-- schedule: "* * * * *"
select 796 as n
