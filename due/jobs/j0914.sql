-- output: tables/t0914
-- schedule: "* * * * *"
select 914 as n
