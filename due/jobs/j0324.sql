-- output: tables/t0324
-- schedule: "* * * * *"
select 324 as n
