-- output: tables/t0211
-- schedule: "* * * * *"
select 211 as n
