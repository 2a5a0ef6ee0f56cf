-- output: tables/t0101
-- schedule: "* * * * *"
select 101 as n
