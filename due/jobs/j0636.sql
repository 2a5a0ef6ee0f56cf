-- output: tables/t0636
-- schedule: "* * * * *"
select 636 as n
