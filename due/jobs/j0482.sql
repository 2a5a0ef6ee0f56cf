-- output: tables/t0482
-- schedule: "* * * * *"
select 482 as n
