-- output: tables/t0985
-- schedule: "* * * * *"
select 985 as n
