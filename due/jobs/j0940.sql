-- output: tables/t0940
-- schedule: "* * * * *"
select 940 as n
