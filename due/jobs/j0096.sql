-- output: tables/t0096
-- schedule: "* * * * *"
select 96 as n
