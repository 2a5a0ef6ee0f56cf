-- output: tables/t0061
-- schedule: "* * * * *"
select 61 as n
