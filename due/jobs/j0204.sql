-- output: tables/t0204
-- schedule: "* * * * *"
select 204 as n
