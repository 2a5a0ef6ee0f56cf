-- output: tables/t0576
-- schedule: "* * * * *"
select 576 as n
