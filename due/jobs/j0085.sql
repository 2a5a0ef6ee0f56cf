-- output: tables/t0085
-- schedule: "* * * * *"
select 85 as n
