-- output: tables/t0289
-- schedule: "* * * * *"
select 289 as n
