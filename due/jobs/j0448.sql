-- output: tables/t0448
-- schedule: "* * * * *"
select 448 as n
