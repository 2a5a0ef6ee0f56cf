-- output: tables/t0750
-- schedule: "* * * * *"
select 750 as n
