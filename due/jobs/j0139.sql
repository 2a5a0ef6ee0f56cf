-- output: tables/t0139
-- schedule: "* * * * *"
select 139 as n
