-- output: tables/t0824
-- schedule: "* * * * *"
select 824 as n
