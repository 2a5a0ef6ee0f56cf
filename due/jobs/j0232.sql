-- output: tables/t0232
-- schedule: "* * * * *"
select 232 as n
