-- output: tables/t0363
-- schedule: "* * * * *"
select 363 as n
