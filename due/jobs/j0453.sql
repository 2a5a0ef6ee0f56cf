-- output: tables/t0453
-- schedule: "* * * * *"
select 453 as n
