-- output: tables/t0575
-- schedule: "* * * * *"
select 575 as n
