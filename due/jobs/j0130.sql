-- output: tables/t0130
-- schedule: "* * * * *"
select 130 as n
