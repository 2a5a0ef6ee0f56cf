-- output: tables/t0359
-- schedule: "* * * * *"
select 359 as n
