-- output: tables/t0184
-- schedule: "* * * * *"
select 184 as n
