-- output: tables/t0547
-- schedule: "* * * * *"
select 547 as n
