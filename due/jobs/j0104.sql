-- output: tables/t0104
-- schedule: "* * * * *"
select 104 as n
