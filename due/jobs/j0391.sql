-- output: tables/t0391
-- schedule: "* * * * *"
select 391 as n
