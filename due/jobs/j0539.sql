-- output: tables/t0539
-- schedule: "* * * * *"
select 539 as n
