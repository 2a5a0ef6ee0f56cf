-- output: tables/t0075
-- schedule: "* * * * *"
select 75 as n
