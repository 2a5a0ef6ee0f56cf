-- output: tables/t0413
-- schedule: "* * * * *"
select 413 as n
