-- output: tables/t0986
-- schedule: "* * * * *"
select 986 as n
