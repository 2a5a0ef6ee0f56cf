-- output: tables/t0955
-- schedule: "* * * * *"
select 955 as n
