-- output: tables/t0346
-- schedule: "* * * * *"
select 346 as n
