-- output: tables/t0442
-- schedule: "* * * * *"
select 442 as n
