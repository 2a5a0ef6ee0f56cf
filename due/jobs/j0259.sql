-- output: tables/t0259
-- schedule: "* * * * *"
select 259 as n
