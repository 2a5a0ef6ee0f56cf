-- output: tables/t0894
-- schedule: "* * * * *"
select 894 as n
