-- output: tables/t0010
-- schedule: "* * * * *"
select 10 as n
