-- output: tables/t0968
-- schedule: "* * * * *"
select 968 as n
