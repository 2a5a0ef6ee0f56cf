-- output: tables/t0970
-- schedule: "* * * * *"
select 970 as n
