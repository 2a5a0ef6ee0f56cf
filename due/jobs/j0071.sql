-- output: tables/t0071
-- schedule: "* * * * *"
select 71 as n
