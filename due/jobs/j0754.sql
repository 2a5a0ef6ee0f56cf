-- output: tables/t0754
-- schedule: "* * * * *"
select 754 as n
