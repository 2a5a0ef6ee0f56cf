-- output: tables/t0012
-- schedule: "* * * * *"
select 12 as n
