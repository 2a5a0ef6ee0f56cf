-- output: tables/t0392
-- schedule: "* * * * *"
select 392 as n
