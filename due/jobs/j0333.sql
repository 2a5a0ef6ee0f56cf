-- output: tables/t0333
-- schedule: "* * * * *"
select 333 as n
