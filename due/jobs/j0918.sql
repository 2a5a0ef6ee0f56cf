-- output: tables/t0918
-- schedule: "* * * * *"
select 918 as n
