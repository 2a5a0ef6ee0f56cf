-- output: tables/t0128
-- schedule: "* * * * *"
select 128 as n
