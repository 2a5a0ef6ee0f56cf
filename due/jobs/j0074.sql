-- output: tables/t0074
-- schedule: "* * * * *"
select 74 as n
