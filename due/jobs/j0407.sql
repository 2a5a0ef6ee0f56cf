-- output: tables/t0407
-- schedule: "* * * * *"
select 407 as n
