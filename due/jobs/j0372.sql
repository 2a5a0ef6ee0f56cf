-- output: tables/t0372
-- schedule: "* * * * *"
select 372 as n
