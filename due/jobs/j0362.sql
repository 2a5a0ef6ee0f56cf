-- output: tables/t0362
-- schedule: "* * * * *"
select 362 as n
