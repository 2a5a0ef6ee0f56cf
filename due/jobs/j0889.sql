-- output: tables/t0889
-- schedule: "* * * * *"
select 889 as n
