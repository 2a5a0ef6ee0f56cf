-- output: tables/t0263
-- schedule: "* * * * *"
select 263 as n
