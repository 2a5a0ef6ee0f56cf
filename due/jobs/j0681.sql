-- output: tables/t0681
-- schedule: "* * * * *"
select 681 as n
