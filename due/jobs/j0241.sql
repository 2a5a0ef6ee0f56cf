-- output: tables/t0241
-- schedule: "* * * * *"
select 241 as n
