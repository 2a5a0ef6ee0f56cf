-- output: tables/t0202
-- schedule: "* * * * *"
select 202 as n
