-- output: tables/t0377
-- schedule: "* * * * *"
select 377 as n
