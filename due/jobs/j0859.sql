-- output: tables/t0859
-- schedule: "* * * * *"
select 859 as n
