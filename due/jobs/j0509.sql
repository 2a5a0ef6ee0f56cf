-- output: tables/t0509
-- schedule: "* * * * *"
select 509 as n
