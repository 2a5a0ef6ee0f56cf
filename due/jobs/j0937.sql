-- output: tables/t0937
-- schedule: "* * * * *"
select 937 as n
