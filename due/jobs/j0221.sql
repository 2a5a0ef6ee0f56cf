-- output: tables/t0221
-- schedule: "* * * * *"
select 221 as n
