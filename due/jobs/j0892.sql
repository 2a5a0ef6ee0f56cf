-- output: tables/t0892
-- schedule: "* * * * *"
select 892 as n
