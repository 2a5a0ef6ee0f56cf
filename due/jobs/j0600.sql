-- output: tables/t0600
-- schedule: "* * * * *"
select 600 as n
