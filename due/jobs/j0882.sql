-- output: tables/t0882
-- schedule: "* * * * *"
select 882 as n
