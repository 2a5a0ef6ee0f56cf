-- output: tables/t0846
-- schedule: "* * * * *"
select 846 as n
