-- output: tables/t0199
-- schedule: "* * * * *"
select 199 as n
