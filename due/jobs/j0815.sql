-- output: tables/t0815
-- schedule: "* * * * *"
select 815 as n
