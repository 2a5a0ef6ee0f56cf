-- output: tables/t0519
-- schedule: "* * * * *"
select 519 as n
