-- output: tables/t0123
-- schedule: "* * * * *"
select 123 as n
