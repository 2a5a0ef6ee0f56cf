-- output: tables/t0948
-- schedule: "* * * * *"
select 948 as n
