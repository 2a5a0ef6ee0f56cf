-- output: tables/t0011
-- schedule: "* * * * *"
select 11 as n
