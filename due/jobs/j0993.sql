-- output: tables/t0993
-- schedule: "* * * * *"
select 993 as n
