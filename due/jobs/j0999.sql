-- output: tables/t0999
-- schedule: "* * * * *"
select 999 as n
