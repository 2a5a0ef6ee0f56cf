-- output: tables/t0764
-- schedule: "* * * * *"
select 764 as n
