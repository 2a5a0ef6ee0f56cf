-- output: tables/t0127
-- schedule: "* * * * *"
select 127 as n
