-- output: tables/t0361
-- schedule: "* * * * *"
select 361 as n
