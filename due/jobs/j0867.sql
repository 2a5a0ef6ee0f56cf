-- output: tables/t0867
-- schedule: "* * * * *"
select 867 as n
