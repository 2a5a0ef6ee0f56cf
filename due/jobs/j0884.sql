-- output: tables/t0884
-- schedule: "* * * * *"
select 884 as n
