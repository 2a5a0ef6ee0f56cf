-- output: tables/t0535
-- schedule: "* * * * *"
select 535 as n
