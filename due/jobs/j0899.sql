-- output: tables/t0899
-- schedule: "* * * * *"
select 899 as n
