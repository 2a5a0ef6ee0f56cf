-- output: tables/t0904
-- schedule: "* * * * *"
select 904 as n
