-- output: tables/t0514
-- schedule: "* * * * *"
select 514 as n
