-- output: tables/t0432
-- schedule: "* * * * *"
select 432 as n
