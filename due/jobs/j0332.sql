-- output: tables/t0332
-- schedule: "* * * * *"
select 332 as n
