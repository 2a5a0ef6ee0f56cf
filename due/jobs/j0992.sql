-- output: tables/t0992
-- schedule: "* * * * *"
select 992 as n
