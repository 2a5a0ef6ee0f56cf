-- output: tables/t0923
-- schedule: "* * * * *"
select 923 as n
