-- output: tables/t0210
-- schedule: "* * * * *"
select 210 as n
