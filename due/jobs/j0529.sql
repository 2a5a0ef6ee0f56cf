-- output: tables/t0529
-- schedule: "* * * * *"
select 529 as n
