-- output: tables/t0401
-- schedule: "* * * * *"
select 401 as n
