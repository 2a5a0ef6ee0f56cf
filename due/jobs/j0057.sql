-- output: tables/t0057
-- schedule: "* * * * *"
select 57 as n
