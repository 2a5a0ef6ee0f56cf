-- output: tables/t0383
-- schedule: "* * * * *"
select 383 as n
