-- output: tables/t0944
-- schedule: "* * * * *"
select 944 as n
