-- output: tables/t0872
-- schedule: "* * * * *"
select 872 as n
