-- output: tables/t0845
-- schedule: "* * * * *"
select 845 as n
