-- output: tables/t0357
-- schedule: "* * * * *"
select 357 as n
