-- output: tables/t0406
-- schedule: "* * * * *"
select 406 as n
