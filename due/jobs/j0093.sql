-- output: tables/t0093
-- schedule: "* * * * *"
select 93 as n
