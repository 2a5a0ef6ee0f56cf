-- output: tables/t0175
-- schedule: "* * * * *"
select 175 as n
