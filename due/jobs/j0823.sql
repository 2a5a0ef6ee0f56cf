-- output: tables/t0823
-- schedule: "* * * * *"
select 823 as n
