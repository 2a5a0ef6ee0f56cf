-- output: tables/t0958
-- schedule: "* * * * *"
select 958 as n
