-- output: tables/t0400
-- schedule: "* * * * *"
select 400 as n
