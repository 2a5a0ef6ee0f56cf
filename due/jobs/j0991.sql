-- output: tables/t0991
-- schedule: "* * * * *"
select 991 as n
