-- output: tables/t0354
-- schedule: "* * * * *"
select 354 as n
