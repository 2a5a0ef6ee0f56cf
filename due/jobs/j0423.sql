-- output: tables/t0423
-- schedule: "* * * * *"
select 423 as n
