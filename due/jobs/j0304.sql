-- output: tables/t0304
-- schedule: "* * * * *"
select 304 as n
