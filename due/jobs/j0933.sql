-- output: tables/t0933
-- schedule: "* * * * *"
select 933 as n
