-- output: tables/t0283
-- schedule: "* * * * *"
select 283 as n
