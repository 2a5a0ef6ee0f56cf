-- output: tables/t0526
-- schedule: "* * * * *"
select 526 as n
