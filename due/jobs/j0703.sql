-- output: tables/t0703
-- schedule: "* * * * *"
select 703 as n
