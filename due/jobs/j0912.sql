-- output: tables/t0912
-- schedule: "* * * * *"
select 912 as n
