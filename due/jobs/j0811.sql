-- output: tables/t0811
-- schedule: "* * * * *"
select 811 as n
